// Rows of a model as a form.
import { fields_of, made_up } from './schema.js'

export function RowsForm({ model, rows, onChange, at, setAt, several }) {
  const fields = fields_of(model.row)
  const row = rows[at] ?? rows[0]
  const set = (name, value) => onChange((now) => now.map((each, place) => (place === at ? { ...each, [name]: value } : each)))
  return (
    <div class="rows">
      {several && (
        <div class="row pills">
          <div role="group" aria-label="Rows">
            {rows.map((_, place) => (
              <button type="button" class="pill" aria-pressed={place === at} onClick={() => setAt(place)}>
                row {place + 1}
              </button>
            ))}
          </div>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              onChange((now) => [...now, { ...(now[at] ?? now[0]) }])
              setAt(rows.length)
            }}
          >
            + add a row
          </button>
          {rows.length > 1 && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                onChange((now) => now.filter((_, place) => place !== at))
                setAt(Math.max(0, at - 1))
              }}
            >
              remove row {at + 1}
            </button>
          )}
        </div>
      )}
      <div class="fields">
        {fields.map((field, place) => (
          <Field key={`${at}-${field.name}`} field={field} id={`field-${place}`} value={row[field.name]} onChange={(value) => set(field.name, value)} />
        ))}
      </div>
    </div>
  )
}

function Field({ field, id, value, onChange }) {
  const missing = value === null || value === undefined
  return (
    <div class={`field ${missing ? 'missing' : ''}`}>
      <label for={id}>{field.name}</label>
      <Input field={field} id={id} value={value} onChange={onChange} />
      <span class="under">
        <span class="faint" id={`${id}-hint`}>
          {field.hint}
          {!field.needed && !field.nullable && field.schema.default !== undefined ? `, else ${field.schema.default}` : ''}
        </span>
        {field.nullable && (
          <label class="check small">
            <input type="checkbox" checked={missing} onChange={(event) => onChange(event.currentTarget.checked ? null : made_up({ ...field, schema: { ...field.schema, default: undefined }, nullable: false }))} />
            missing<span class="sr"> {field.name}</span>
          </label>
        )}
      </span>
    </div>
  )
}

function Input({ field, id, value, onChange }) {
  const missing = value === null || value === undefined
  const { schema, kind, choices } = field
  const described = { id, 'aria-describedby': `${id}-hint` }
  if (choices) {
    const strange = !missing && !choices.includes(value)
    return (
      <select {...described} value={missing ? '' : JSON.stringify(value)} onChange={(event) => onChange(event.currentTarget.value === '' ? null : JSON.parse(event.currentTarget.value))}>
        {(missing || field.nullable) && <option value="">missing</option>}
        {strange && <option value={JSON.stringify(value)}>{String(value)}</option>}
        {choices.map((choice) => (
          <option value={JSON.stringify(choice)}>{String(choice)}</option>
        ))}
      </select>
    )
  }
  if (kind === 'number' || kind === 'integer') {
    const outside = typeof value === 'number' && (value < schema.minimum || value > schema.maximum || (kind === 'integer' && !Number.isInteger(value)))
    return (
      <input
        {...described}
        type="text"
        inputMode="decimal"
        autoComplete="off"
        class={outside ? 'outside' : ''}
        aria-invalid={outside || (typeof value === 'string' && !missing) ? 'true' : undefined}
        value={missing ? '' : String(value)}
        placeholder={missing ? 'missing' : ''}
        onChange={(event) => {
          const text = event.currentTarget.value.trim()
          onChange(text === '' ? null : Number.isFinite(Number(text)) ? Number(text) : text)
        }}
      />
    )
  }
  if (kind === 'json') {
    return (
      <textarea
        {...described}
        rows={2}
        spellcheck={false}
        value={missing ? '' : JSON.stringify(value)}
        onChange={(event) => {
          const text = event.currentTarget.value.trim()
          try {
            onChange(text === '' ? null : JSON.parse(text))
          } catch {
            onChange(text)
          }
        }}
      />
    )
  }
  return <input {...described} type="text" autoComplete="off" value={missing ? '' : String(value)} placeholder={missing ? 'missing' : ''} onInput={(event) => onChange(event.currentTarget.value)} />
}
