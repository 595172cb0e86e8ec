/** A scheme, and a user without a password behind it. */
const USER = /^([a-z][a-z0-9+.-]*:\/\/[^/?#@\s:[]*):/i;
/** Ports, a path, and the beginning of an option: what stands behind it is a value of a query. */
const PORTS_AND_OPTION = /^\d{1,5}(?:,[^/?#@]*)?(?:\/[^?#@]*)?[?#][^=@]*=/;
/** The same behind a host. */
const HOST_AND_OPTION = /@[^/?#@\s]*(?:\/[^?#@]*)?[?#][^=@]*=/;

/**
 * A URL or DSN without the password in it, and that password: it belongs into its field, and is sent to nobody before.
 *
 * A password may have signs in it that should be written otherwise. It ends at the last `@` that does not stand in a value of the
 * query: in doubt too much is taken for a password, and not too little.
 */
export function withoutPassword(text: string): { readonly url: string; readonly password: string | undefined } {
  const authority = outOfAuthority(text);
  if (authority === undefined) return outOfOptions(text);
  const { url, password } = outOfOptions(authority.url);
  return { url, password: password ?? authority.password };
}

function outOfAuthority(text: string): { readonly url: string; readonly password: string } | undefined {
  const user = USER.exec(text);
  if (user === null) return undefined;
  const [whole, before = ""] = user;
  const rest = text.slice(whole.length);
  if (PORTS_AND_OPTION.test(rest)) return undefined;
  let at = rest.lastIndexOf("@");
  while (at > 0 && HOST_AND_OPTION.test(rest.slice(0, at))) at = rest.lastIndexOf("@", at - 1);
  return at < 0 ? undefined : { url: `${before}${rest.slice(at)}`, password: decoded(rest.slice(0, at)) };
}

function outOfOptions(text: string): { readonly url: string; readonly password: string | undefined } {
  const query = /[?&]password=([^&#]*)/i.exec(text);
  if (query !== null && /^[a-z][a-z0-9+.-]*:/i.test(text)) {
    const [whole, password = ""] = query;
    const rest = text.slice(query.index + whole.length);
    // The first sign of a query is a question mark, also when its first part goes.
    const joined = whole.startsWith("?") && rest.startsWith("&") ? `?${rest.slice(1)}` : rest;
    return { url: text.slice(0, query.index) + joined, password: decoded(password) };
  }
  // The quote at the end may be missing.
  const word = /(^|\s)password\s*=\s*(?:'((?:[^'\\]|\\.)*)(?:'|\\?$)|(\S*))/i.exec(text);
  if (word !== null && !/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const [whole, , quoted, bare = ""] = word;
    const url = (text.slice(0, word.index) + text.slice(word.index + whole.length)).trim();
    return { url, password: (quoted ?? bare).replaceAll(/\\(.)/g, "$1") };
  }
  return { url: text, password: undefined };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
