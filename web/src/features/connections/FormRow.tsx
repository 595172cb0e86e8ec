import type { ReactNode } from "react";

interface FormRowProps {
  readonly label: string;
  /** The id of the control that the label is of. */
  readonly forId?: string;
  readonly help?: string | undefined;
  readonly fault?: string | undefined;
  readonly children: ReactNode;
}

/** A line of a form: its label, its control, and what is wrong with it. */
export function FormRow({ label, forId, help, fault, children }: FormRowProps) {
  return (
    <div className="f">
      {forId === undefined ? <span className="flabel">{label}</span> : <label htmlFor={forId}>{label}</label>}
      {children}
      {fault !== undefined ? (
        <p className="fault" role="alert" id={forId === undefined ? undefined : `${forId}-fault`}>
          {fault}
        </p>
      ) : (
        help !== undefined && help !== "" && <p>{help}</p>
      )}
    </div>
  );
}
