import type { Piece, Protocol, Question } from './protocols'

/** One call as it went over the wire; the key is covered. */
export interface Exchange {
  method: string
  path: string
  headers: Record<string, string>
  body: string
  status?: number
  requestId?: string
  answer: string
}

interface Ask {
  protocol: Protocol
  key: string
  question: Question
  signal: AbortSignal
  /** Called with the exchange as far as it is known, more than once. */
  seen: (exchange: Exchange) => void
}

/** Asks, and gives what the answer's events add, one by one. Raises what the gateway refused, in its own words. */
export async function* ask({ protocol, key, question, signal, seen }: Ask): AsyncGenerator<Piece> {
  const path = protocol.path(question.model)
  const headers = { 'Content-Type': 'application/json', ...protocol.headers(`sk-${key}`) }
  const body = JSON.stringify(protocol.body(question))
  let exchange: Exchange = {
    method: 'POST',
    path,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace(`sk-${key}`, `sk-${key.slice(0, 3)}…`)]),
    ),
    body,
    answer: '',
  }
  const note = (more: Partial<Exchange>) => {
    exchange = { ...exchange, ...more }
    seen(exchange)
  }
  note({})
  const response = await fetch(path, { method: 'POST', headers, body, signal })
  note({ status: response.status, requestId: response.headers.get('x-oneapi-request-id') ?? undefined })
  if (!response.ok || !response.body) {
    const answer = await response.text()
    note({ answer })
    throw new Error(refusal(answer) || `${response.status} ${response.statusText}`)
  }
  const raw: string[] = []
  try {
    for await (const line of lines(response.body)) {
      raw.push(line)
      if (!line.startsWith('data:')) continue
      const payload = line.slice(5).trim()
      if (payload === '[DONE]') break
      const piece = protocol.read(JSON.parse(payload) as Parameters<Protocol['read']>[0])
      if (piece.error) throw new Error(piece.error)
      yield piece
    }
  } finally {
    note({ answer: raw.join('\n') })
  }
}

/** All protocols put the sentence at the same place. */
function refusal(text: string): string {
  try {
    return (JSON.parse(text) as { error?: { message?: string } }).error?.message ?? text
  } catch {
    return text
  }
}

async function* lines(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const parts = (rest + value).split('\n')
      rest = parts.pop() ?? ''
      yield* parts.map((line) => line.replace(/\r$/, ''))
    }
    if (rest) yield rest
  } finally {
    await reader.cancel()
  }
}
