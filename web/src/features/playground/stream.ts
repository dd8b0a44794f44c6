/** A streamed chat completion, read as an OpenAI client reads it. */

export interface Ask {
  key: string
  model: string
  prompt: string
  signal: AbortSignal
}

export interface Usage {
  prompt_tokens: number
  completion_tokens: number
}

interface Chunk {
  choices?: { delta?: { content?: string | null } }[]
  usage?: Usage | null
  error?: { message: string }
}

export async function* ask({ key, model, prompt, signal }: Ask): AsyncGenerator<{ text?: string; usage?: Usage }> {
  const response = await fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer sk-${key}` },
    body: JSON.stringify({
      model,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: prompt }],
    }),
    signal,
  })
  if (!response.ok || !response.body) throw new Error(await refusal(response))
  for await (const line of lines(response.body)) {
    if (!line.startsWith('data:')) continue
    const payload = line.slice(5).trim()
    if (payload === '[DONE]') return
    const chunk = JSON.parse(payload) as Chunk
    if (chunk.error) throw new Error(chunk.error.message)
    yield { text: chunk.choices?.[0]?.delta?.content ?? undefined, usage: chunk.usage ?? undefined }
  }
}

async function refusal(response: Response): Promise<string> {
  const body = await response.text()
  try {
    return (JSON.parse(body) as Chunk).error?.message ?? body
  } catch {
    return body || `${response.status} ${response.statusText}`
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
      yield* parts
    }
    yield rest
  } finally {
    await reader.cancel()
  }
}
