// What the page asks of its server. Errors are { found, expected, fix, where }.

export class Refusal extends Error {
  constructor(status, error) {
    super(error.found)
    Object.assign(this, error, { status })
  }
}

async function document_of(response) {
  const text = await response.text()
  let found
  try {
    found = JSON.parse(text)
  } catch {
    found = { error: { found: text || `status ${response.status}` } }
  }
  if (!response.ok) throw new Refusal(response.status, found.error ?? { found: text })
  return found
}

export async function read(path, asked = {}, known) {
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== '' && value != null))
  const response = await fetch(`api/${path}${query.size ? `?${query}` : ''}`, { cache: 'no-cache' })
  const tag = response.headers.get('etag')
  if (known !== undefined && tag && tag === known) return { tag, found: null }
  const found = await document_of(response)
  return known === undefined ? found : { tag, found }
}

export async function ask(path, asked, signal) {
  const response = await fetch(`api/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(asked),
    signal,
  })
  return document_of(response)
}
