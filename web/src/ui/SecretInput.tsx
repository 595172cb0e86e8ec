import { type InputHTMLAttributes, useLayoutEffect, useRef } from "react";

type SecretInputProps = Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> & {
  readonly value: string;
  readonly onChange: (value: string) => void;
};

/** A field whose text never stands in the markup, where a selector or a copy of the page would find it. */
export function SecretInput({ value, onChange, ...others }: SecretInputProps) {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (field.current !== null && field.current.value !== value) field.current.value = value;
  }, [value]);
  return <input {...others} ref={field} onChange={(event) => onChange(event.target.value)} />;
}
