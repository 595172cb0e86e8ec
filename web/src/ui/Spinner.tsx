/** Says that something is under way. It shows only after 100 ms, so that what is quick does not flicker. */
export function Spinner() {
  return <span className="spin late" aria-hidden="true" />;
}
