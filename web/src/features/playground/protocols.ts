/** How each protocol the gateway speaks asks for a streamed answer, and what its events say. */

export interface Turn {
  role: 'user' | 'assistant'
  text: string
  /** Data URLs. */
  images: string[]
}

export interface Question {
  model: string
  system: string
  turns: Turn[]
  temperature?: number
  topP?: number
  maxTokens?: number
}

export interface Usage {
  input: number
  output: number
}

/** What one event adds. */
export interface Piece {
  text?: string
  thought?: string
  usage?: Partial<Usage>
  error?: string
}

export interface Protocol {
  name: 'chat' | 'responses' | 'messages' | 'gemini'
  label: string
  path: (model: string) => string
  headers: (key: string) => Record<string, string>
  body: (question: Question) => unknown
  read: (event: Event) => Piece
}

/** Any event of any of them, as far as it is looked at. */
interface Event {
  type?: string
  delta?: string | { text?: string; thinking?: string }
  message?: string | { usage?: { input_tokens?: number; output_tokens?: number } }
  error?: { message?: string } | null
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null } }[]
  usage?: { prompt_tokens?: number; completion_tokens?: number; input_tokens?: number; output_tokens?: number } | null
  response?: {
    usage?: { input_tokens: number; output_tokens: number } | null
    error?: { message?: string } | null
  }
  candidates?: { content?: { parts?: { text?: string; thought?: boolean }[] } }[]
  usageMetadata?: { promptTokenCount?: number; candidatesTokenCount?: number; thoughtsTokenCount?: number }
}

const bearer = (key: string) => ({ Authorization: `Bearer ${key}` })

/** The media type and the content of a data URL. */
function parts(image: string): { type: string; content: string } {
  const [head = '', content = ''] = image.split(',', 2)
  return { type: head.slice('data:'.length).split(';')[0] ?? '', content }
}

const chat: Protocol = {
  name: 'chat',
  label: 'OpenAI Chat Completions',
  path: () => '/v1/chat/completions',
  headers: bearer,
  body: ({ model, system, turns, temperature, topP, maxTokens }) => ({
    model,
    stream: true,
    stream_options: { include_usage: true },
    temperature,
    top_p: topP,
    max_tokens: maxTokens,
    messages: [
      ...(system ? [{ role: 'system', content: system }] : []),
      ...turns.map(({ role, text, images }) => ({
        role,
        content: images.length
          ? [...images.map((url) => ({ type: 'image_url', image_url: { url } })), { type: 'text', text }]
          : text,
      })),
    ],
  }),
  read: ({ choices, usage, error }) => ({
    text: choices?.[0]?.delta?.content ?? undefined,
    thought: choices?.[0]?.delta?.reasoning_content ?? undefined,
    usage: usage ? { input: usage.prompt_tokens, output: usage.completion_tokens } : undefined,
    error: error?.message,
  }),
}

const responses: Protocol = {
  name: 'responses',
  label: 'OpenAI Responses',
  path: () => '/v1/responses',
  headers: bearer,
  body: ({ model, system, turns, temperature, topP, maxTokens }) => ({
    model,
    stream: true,
    store: false,
    instructions: system || undefined,
    temperature,
    top_p: topP,
    max_output_tokens: maxTokens,
    input: turns.map(({ role, text, images }) => ({
      role,
      content: [
        ...images.map((image_url) => ({ type: 'input_image', detail: 'auto', image_url })),
        { type: role === 'user' ? 'input_text' : 'output_text', text },
      ],
    })),
  }),
  read: ({ type, delta, response, message }) => {
    const text = typeof delta === 'string' ? delta : undefined
    const usage = response?.usage
    return {
      text: type === 'response.output_text.delta' ? text : undefined,
      thought: type === 'response.reasoning_summary_text.delta' ? text : undefined,
      usage: usage ? { input: usage.input_tokens, output: usage.output_tokens } : undefined,
      error: type === 'error' && typeof message === 'string' ? message : response?.error?.message,
    }
  },
}

const messages: Protocol = {
  name: 'messages',
  label: 'Anthropic Messages',
  path: () => '/v1/messages',
  headers: (key) => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' }),
  body: ({ model, system, turns, temperature, topP, maxTokens }) => ({
    model,
    stream: true,
    max_tokens: maxTokens ?? 4096, // it has to be there
    system: system || undefined,
    temperature,
    top_p: topP,
    messages: turns.map(({ role, text, images }) => ({
      role,
      content: [
        ...images.map((image) => {
          const { type, content } = parts(image)
          return { type: 'image', source: { type: 'base64', media_type: type, data: content } }
        }),
        { type: 'text', text },
      ],
    })),
  }),
  read: ({ delta, message, usage, error }) => {
    const { text, thinking } = typeof delta === 'object' ? delta : {}
    const begun = typeof message === 'object' ? message.usage : undefined
    const counted = begun ?? usage ?? undefined
    return {
      text,
      thought: thinking,
      usage: counted && { input: counted.input_tokens, output: counted.output_tokens },
      error: error?.message,
    }
  },
}

const gemini: Protocol = {
  name: 'gemini',
  label: 'Gemini',
  path: (model) => `/v1beta/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`,
  headers: (key) => ({ 'x-goog-api-key': key }),
  body: ({ system, turns, temperature, topP, maxTokens }) => ({
    systemInstruction: system ? { parts: [{ text: system }] } : undefined,
    generationConfig: { temperature, topP, maxOutputTokens: maxTokens },
    contents: turns.map(({ role, text, images }) => ({
      role: role === 'user' ? 'user' : 'model',
      parts: [
        ...images.map((image) => {
          const { type, content } = parts(image)
          return { inlineData: { mimeType: type, data: content } }
        }),
        { text },
      ],
    })),
  }),
  read: ({ candidates, usageMetadata: usage, error }) => {
    const said = candidates?.[0]?.content?.parts ?? []
    const words = (thought: boolean) =>
      said
        .filter((part) => Boolean(part.thought) === thought)
        .map((part) => part.text ?? '')
        .join('') || undefined
    return {
      text: words(false),
      thought: words(true),
      usage: usage && {
        input: usage.promptTokenCount,
        output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
      },
      error: error?.message,
    }
  },
}

export const protocols = [chat, responses, messages, gemini] as const
