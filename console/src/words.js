// Numbers, times and JSON as people read them.

export const ms = (value) => {
  if (value == null || Number.isNaN(value)) return '–'
  if (value < 10) return `${value.toFixed(2)} ms`
  if (value < 100) return `${value.toFixed(1)} ms`
  if (value < 10_000) return `${Math.round(value)} ms`
  return `${(value / 1000).toFixed(1)} s`
}

export const some = (n, one) => `${count(n)} ${one}${n === 1 ? '' : 's'}`

// Why a request did not reach its function, as REST APIs name it, in words.
const REFUSED = {
  UNAUTHORIZED: 'no valid credential',
  ACCESS_DENIED: 'the credential does not allow it',
  MISSING_AUTHENTICATION_TOKEN: 'no such route, or no signature',
  EXPIRED_TOKEN: 'the token has expired',
  INVALID_SIGNATURE: 'the signature does not fit',
  INVALID_API_KEY: 'no valid API key',
  AUTHORIZER_FAILURE: 'the authorizer failed',
  AUTHORIZER_CONFIGURATION_ERROR: 'the authorizer’s answer cannot be used',
  THROTTLED: 'over its rate',
  QUOTA_EXCEEDED: 'over its quota',
  BAD_REQUEST_PARAMETERS: 'a query parameter or header that the route needs is missing',
  BAD_REQUEST_BODY: 'the body does not fit its schema',
  REQUEST_TOO_LARGE: 'the request is too large',
  UNSUPPORTED_MEDIA_TYPE: 'the content type is not taken',
}

export const refusal = (kind) => REFUSED[kind] ?? kind.toLowerCase().replaceAll('_', ' ')

export const count = (value) => {
  if (value == null) return '–'
  if (value < 10_000) return String(value)
  if (value < 1_000_000) return `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)} k`
  return `${(value / 1e6).toFixed(1)} M`
}

export const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(part && part / whole < 0.1 ? 1 : 0)} %` : '–')

export const clock = (at) => new Date(at * 1000).toLocaleTimeString([], { hour12: false })

export const moment = (at) => {
  const then = new Date(at * 1000)
  const today = then.toDateString() === new Date().toDateString()
  return today ? clock(at) : `${then.toLocaleDateString()} ${clock(at)}`
}

export const number = (value) => {
  if (value == null) return 'missing'
  if (typeof value !== 'number') return String(value)
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e6)) return value.toExponential(2)
  return String(+value.toFixed(4))
}

export const bytes = (size) => (size < 1000 ? `${size} B` : size < 1e6 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`)

export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

export function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`

export function curl(url, request) {
  const parts = ['curl -i']
  if (request.method !== 'GET' || request.body) parts.push(`-X ${request.method}`)
  parts.push(quoted(url))
  for (const [name, value] of request.headers) parts.push(`-H ${quoted(`${name}: ${value}`)}`)
  if (request.body) parts.push(`--data-binary ${quoted(request.body)}`)
  return parts.join(' \\\n  ')
}
