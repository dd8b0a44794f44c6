/** The gateway's management API: one envelope, `{success, message, data}`, also for refusals. */

interface Envelope<T> {
  success: boolean
  message: string
  data?: T
}

/** A refusal, with the sentence the gateway gave for it. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message)
  }
}

type Query = Record<string, string | number | boolean>

interface Options {
  body?: unknown
  query?: Query
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const envelope = await whole<T>(method, path, options)
  if (!envelope.success) throw new ApiError(envelope.message || String(envelope.status), envelope.status)
  return envelope.data as T
}

/** The envelope itself, for the few answers that say something beside `data`, or in a refusal. */
export async function whole<T, More = unknown>(method: string, path: string, options: Options = {}) {
  const query = new URLSearchParams(Object.entries(options.query ?? {}).map(([k, v]) => [k, String(v)]))
  const response = await fetch(query.size ? `${path}?${query}` : path, {
    method,
    ...(options.body === undefined
      ? {}
      : { body: JSON.stringify(options.body), headers: { 'Content-Type': 'application/json' } }),
  })
  const envelope = await read<T>(response)
  return { ...(envelope as Envelope<T> & More), status: response.status }
}

/** A proxy in between, or the rate limit, may answer without an envelope. */
async function read<T>(response: Response): Promise<Envelope<T>> {
  try {
    return (await response.json()) as Envelope<T>
  } catch {
    return { success: false, message: `${response.status} ${response.statusText}`.trim() }
  }
}

export const get = <T>(path: string, query?: Query) => call<T>('GET', path, { query })
export const post = <T>(path: string, body: unknown) => call<T>('POST', path, { body })
export const put = <T>(path: string, body: unknown, query?: Query) => call<T>('PUT', path, { body, query })
export const remove = <T = unknown>(path: string) => call<T>('DELETE', path)
