import { useState } from "react";
import { type FormField, FormFieldKind } from "../../gen/plugin/v1/plugin_pb.ts";
import { Icon } from "../../ui/Icon.tsx";
import { SecretInput } from "../../ui/SecretInput.tsx";

interface ParameterFieldProps {
  readonly id: string;
  readonly field: FormField;
  readonly value: string;
  readonly isFaulty: boolean;
  /** In place of the field's own example, while it is empty. */
  readonly placeholder?: string | undefined;
  readonly onChange: (value: string) => void;
}

/** The control for one field of a driver's form. */
export function ParameterField({ id, field, value, isFaulty, placeholder, onChange }: ParameterFieldProps) {
  const [isShown, setShown] = useState(false);
  const faulty = isFaulty ? { "aria-invalid": true, "aria-describedby": `${id}-fault` } : {};
  if (field.kind === FormFieldKind.SELECT) {
    return (
      <span className="field select">
        <select id={id} value={value} {...faulty} onChange={(event) => onChange(event.target.value)}>
          {(!field.required || value === "") && (
            <option value="">{field.defaultValue === "" ? "As the driver decides" : `As the driver decides: ${field.defaultValue}`}</option>
          )}
          {field.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label === option.value ? option.value : `${option.value} – ${option.label}`}
            </option>
          ))}
        </select>
        <Icon name="down" small />
      </span>
    );
  }
  if (field.kind === FormFieldKind.CHECKBOX) {
    const isOn = (value === "" ? field.defaultValue : value) === "true";
    return (
      <button
        id={id}
        type="button"
        className={isOn ? "switch on" : "switch"}
        role="switch"
        aria-checked={isOn}
        aria-label={field.label}
        onClick={() => onChange(isOn ? "false" : "true")}
      >
        <i />
      </button>
    );
  }
  const isSecret = field.kind === FormFieldKind.PASSWORD || field.secret;
  const plain = {
    id,
    inputMode: field.kind === FormFieldKind.NUMBER ? ("numeric" as const) : undefined,
    autoCapitalize: "off",
    spellCheck: false,
    placeholder: placeholder ?? (field.defaultValue || field.placeholder),
    ...faulty,
  };
  return (
    <span className="field code">
      {isSecret ? (
        // A password of a database is none of the browser's to keep.
        <SecretInput {...plain} type={isShown ? "text" : "password"} autoComplete="new-password" value={value} onChange={onChange} />
      ) : (
        <input {...plain} type="text" autoComplete="off" value={value} onChange={(event) => onChange(event.target.value)} />
      )}
      {isSecret && value !== "" && (
        <button
          type="button"
          className="eye"
          aria-label={isShown ? "Hide what is typed" : "Show what is typed"}
          aria-pressed={isShown}
          title={isShown ? "Hide" : "Show"}
          onClick={() => setShown(!isShown)}
        >
          <Icon name="view" />
        </button>
      )}
    </span>
  );
}
