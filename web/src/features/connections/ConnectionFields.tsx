import type { ReactNode } from "react";
import { type Connection, EnvironmentColor, SecretPlace } from "../../gen/core/v1/connection_pb.ts";
import type { PlaceState, SecretPlaces } from "../../gen/core/v1/credential_pb.ts";
import { type FormField, FormFieldKind, FormFieldRole, type PluginInfo } from "../../gen/plugin/v1/plugin_pb.ts";
import { canBeReadOnly, type ConnectionForm, type Faults, NAME, partsOf } from "../../state/connection_form.ts";
import { Segments } from "../../ui/Segments.tsx";
import { FormRow } from "./FormRow.tsx";
import { MoreFields } from "./MoreFields.tsx";
import { ParameterField } from "./ParameterField.tsx";

interface ConnectionFieldsProps {
  readonly form: ConnectionForm;
  readonly info: PluginInfo;
  readonly places: SecretPlaces | undefined;
  readonly faults: Faults;
  /** The saved one, when it is changed. */
  readonly connection: Connection | undefined;
  /** What leads elsewhere than before, by label. */
  readonly moved: readonly string[];
  readonly onChange: (part: Partial<ConnectionForm>) => void;
}

const COLORS = [
  { value: EnvironmentColor.UNSPECIFIED, label: "None", sign: <i className="sw none" /> },
  { value: EnvironmentColor.GREEN, label: "Green", sign: <i className="sw green" /> },
  { value: EnvironmentColor.AMBER, label: "Amber", sign: <i className="sw amber" /> },
  { value: EnvironmentColor.RED, label: "Red", sign: <i className="sw red" /> },
];

/** The form of a connection: what every one has, and what its driver asks for. */
export function ConnectionFields(props: ConnectionFieldsProps) {
  const { form, info, faults, onChange } = props;
  const { where, how } = partsOf(info);
  // How the connection is protected is everybody's concern; the rest of the options is few people's.
  const tls = how.find(({ role, kind }) => role === FormFieldRole.TLS && kind === FormFieldKind.SELECT);
  const shown = tls === undefined ? how : [tls];
  const folded = how.filter((field) => !shown.includes(field));
  const port = where.find(({ role }) => role === FormFieldRole.PORT);
  const setValue = (field: FormField) => (text: string) =>
    onChange(
      field.secret
        ? { secrets: { ...form.secrets, [field.name]: text } }
        : { values: { ...form.values, [field.name]: text } },
    );
  const control = (field: FormField, placeholder?: string) => (
    <ParameterField
      id={`parameter-${field.name}`}
      field={field}
      value={(field.secret ? form.secrets : form.values)[field.name] ?? ""}
      isFaulty={faults[field.name] !== undefined}
      placeholder={placeholder}
      onChange={setValue(field)}
    />
  );
  const row = (field: FormField): ReactNode => {
    // The port stands beside its host.
    if (field === port && where.some(({ role }) => role === FormFieldRole.HOST)) return null;
    const keeps = field.secret && props.connection !== undefined && form.place !== SecretPlace.ASK;
    const id = `parameter-${field.name}`;
    if (field.role === FormFieldRole.HOST && port !== undefined) {
      const fault = faults[field.name] ?? faults[port.name];
      return (
        <FormRow key={field.name} label={field.label} forId={id} fault={fault}>
          <div className="row">
            {control(field)}
            <label className="port" aria-label={port.label}>
              {control(port)}
            </label>
          </div>
        </FormRow>
      );
    }
    return (
      <FormRow key={field.name} label={field.label} forId={id} help={field.help} fault={faults[field.name]}>
        {control(field, keeps ? (props.moved.length > 0 ? "Type it again" : "Kept; type to replace it") : undefined)}
      </FormRow>
    );
  };
  return (
    <div className="form">
      <FormRow label="Name" forId="connection-name" fault={faults[NAME]}>
        <span className="field">
          <input
            id="connection-name"
            value={form.name}
            maxLength={100}
            autoComplete="off"
            autoFocus
            {...(faults[NAME] === undefined ? {} : { "aria-invalid": true })}
            onChange={(event) => onChange({ name: event.target.value })}
          />
        </span>
      </FormRow>
      <FormRow label="Environment">
        <Segments label="Environment" className="env-seg" segments={COLORS} value={form.color} onChange={(color) => onChange({ color })} />
      </FormRow>
      <hr />
      {where.map(row)}
      {info.connectionForm.some((field) => field.secret) && (
        <FormRow label="Keep it in" help={placeHelp(props)}>
          <Segments
            label="Keep the password in"
            segments={placeSegments(props.places)}
            value={form.place}
            onChange={(place) => onChange({ place })}
          />
        </FormRow>
      )}
      <hr />
      {canBeReadOnly(info) && (
        <div className="f inline">
          <span className="flabel">Read-only</span>
          <button
            type="button"
            className={form.readOnly ? "switch on" : "switch"}
            role="switch"
            aria-checked={form.readOnly}
            aria-label="Read-only"
            onClick={() => onChange({ readOnly: !form.readOnly })}
          >
            <i />
          </button>
          <span className="say">The database refuses writes, in every session</span>
        </div>
      )}
      {shown.map(row)}
      <MoreFields form={form} faults={faults} onChange={onChange} options={folded} row={row} />
    </div>
  );
}

function placeSegments(places: SecretPlaces | undefined) {
  return [
    { value: SecretPlace.KEYRING, label: "Keyring", unusable: reasonNot(places?.keyring) },
    { value: SecretPlace.VAULT, label: "Vault", unusable: reasonNot(places?.vault) },
    { value: SecretPlace.ASK, label: "Ask each time" },
    { value: SecretPlace.UNSPECIFIED, label: "None" },
  ];
}

function reasonNot(place: PlaceState | undefined): string | undefined {
  return place?.isUsable === true ? undefined : place?.message || "not known";
}

/** Why a place cannot be chosen, in sight: a tooltip is not for everybody. */
function placeHelp({ places, moved, connection, form }: ConnectionFieldsProps): string {
  if (connection !== undefined && moved.length > 0 && form.place !== SecretPlace.ASK) {
    return `${moved.join(" and ")} changed: the kept password is dropped, so that it goes nowhere else. Type it again.`;
  }
  const reasons = [
    ["Keyring", reasonNot(places?.keyring)],
    ["Vault", reasonNot(places?.vault)],
  ].flatMap(([name, reason]) => (reason === undefined ? [] : [`${name}: ${reason}.`]));
  return reasons.join(" ");
}
