// The JSON schema of a model's row -> fields of a form, and values for them.

const types_of = (schema) => [schema.type ?? []].flat()

export function fields_of(row) {
  const needed = new Set(row?.required ?? [])
  return Object.entries(row?.properties ?? {}).map(([name, schema]) => {
    const types = types_of(schema)
    const nullable = types.includes('null') || schema.anyOf?.some((each) => each.type === 'null') || false
    let kind = 'json'
    let choices = null
    if (types.includes('boolean') && (types.includes('integer') || types.length - nullable === 1)) {
      kind = 'choice'
      choices = [true, false]
    } else if (schema.enum) {
      kind = 'choice'
      choices = schema.enum.filter((value) => value !== null)
    } else if (types.includes('string')) kind = 'text'
    else if (types.includes('integer')) kind = 'integer'
    else if (types.includes('number')) kind = 'number'
    return { name, schema, kind, choices, nullable, needed: needed.has(name), hint: hint_of(schema, kind) }
  })
}

function hint_of(schema, kind) {
  const { minimum, maximum } = schema
  if (minimum != null && maximum != null) return `${minimum} to ${maximum}`
  if (minimum != null) return `at least ${minimum}`
  if (maximum != null) return `at most ${maximum}`
  if (schema.description) return schema.description
  if (schema.pattern?.includes('\\d{4}-')) return 'a date, 2024-06-01'
  return { integer: 'whole number', number: 'number', json: 'JSON', text: 'text' }[kind] ?? ''
}

export function made_up(field) {
  const { schema, kind, choices } = field
  if (schema.default !== undefined) return schema.default
  if (choices) return choices[0]
  if (kind === 'number' || kind === 'integer') {
    const { minimum, maximum } = schema
    const middle = minimum != null && maximum != null ? (minimum + maximum) / 2 : (minimum ?? maximum ?? 1)
    return kind === 'integer' ? Math.round(middle) : +middle.toPrecision(4)
  }
  if (schema.pattern?.includes('\\d{4}-')) return '2024-06-01'
  if (kind === 'text') return ''
  return field.nullable ? null : []
}

// A sample may be a list in the model's order, and may leave things out.
export function row_of(sample, fields) {
  if (Array.isArray(sample)) return Object.fromEntries(fields.map((field, at) => [field.name, sample[at]]))
  if (sample && typeof sample === 'object') {
    const known = Object.fromEntries(Object.entries(sample).filter(([name]) => fields.some((field) => field.name === name)))
    if (Object.keys(known).length) return known
  }
  return Object.fromEntries(fields.map((field) => [field.name, made_up(field)]))
}

const as_list = (row, fields) => fields.map((field) => row[field.name] ?? null)

const TENSORS = { number: 'FP64', integer: 'INT64', text: 'BYTES' }

export function body_of(rows, fields, protocol) {
  if (protocol === 'mlflow') return { dataframe_records: rows }
  if (protocol === 'sagemaker') return { instances: rows.map((row) => as_list(row, fields)) }
  if (protocol === 'oip') {
    return {
      inputs: fields.map((field) => ({
        name: field.name,
        datatype: field.choices ? (typeof field.choices[0] === 'boolean' ? 'BOOL' : typeof field.choices[0] === 'number' ? 'FP64' : 'BYTES') : TENSORS[field.kind] ?? 'FP64',
        shape: [rows.length, 1],
        data: rows.map((row) => row[field.name] ?? null),
      })),
    }
  }
  return rows.length === 1 ? rows[0] : { instances: rows }
}

export function rows_of(body, fields, protocol) {
  if (!body || typeof body !== 'object') return null
  let rows = null
  if (protocol === 'mlflow') rows = body.dataframe_records
  else if (protocol === 'sagemaker') rows = body.instances
  else if (protocol === 'bareboat') rows = body.instances ?? [body]
  if (!Array.isArray(rows) || !rows.length || !rows.every((row) => row && typeof row === 'object')) return null
  const read = rows.map((row) => (Array.isArray(row) ? row_of(row, fields) : row))
  return read.every((row) => Object.keys(row).every((name) => fields.some((field) => field.name === name))) ? read : null
}
