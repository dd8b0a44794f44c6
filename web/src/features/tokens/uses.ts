/** A key in the forms that programs want it in. */

export interface Use {
  server: string
  key: string
  model: string
}

export const snippets = [
  {
    name: 'curl',
    label: 'curl',
    text: ({ server, key, model }: Use) =>
      [
        `curl ${server}/v1/chat/completions \\`,
        `  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`,
        `  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'`,
      ].join('\n'),
  },
  {
    name: 'openai',
    label: 'OpenAI (Python)',
    text: ({ server, key, model }: Use) => `from openai import OpenAI

client = OpenAI(base_url="${server}/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`,
  },
  {
    name: 'node',
    label: 'OpenAI (Node.js)',
    text: ({ server, key, model }: Use) => `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${server}/v1', apiKey: '${key}' })
const answer = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: 'Hello' }],
})
console.log(answer.choices[0].message.content)`,
  },
  {
    name: 'anthropic',
    label: 'Anthropic (Python)',
    text: ({ server, key, model }: Use) => `from anthropic import Anthropic

client = Anthropic(base_url="${server}", api_key="${key}")
answer = client.messages.create(
    model="${model}",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.content[0].text)`,
  },
  {
    name: 'gemini',
    label: 'Gemini (Python)',
    text: ({ server, key, model }: Use) => `from google import genai

client = genai.Client(api_key="${key}", http_options={"base_url": "${server}"})
answer = client.models.generate_content(model="${model}", contents="Hello")
print(answer.text)`,
  },
  {
    name: 'env',
    label: 'env',
    text: ({ server, key }: Use) =>
      [
        `export OPENAI_BASE_URL=${server}/v1`,
        `export OPENAI_API_KEY=${key}`,
        `export ANTHROPIC_BASE_URL=${server}`,
        `export ANTHROPIC_API_KEY=${key}`,
        `export GOOGLE_GEMINI_BASE_URL=${server}`,
        `export GEMINI_API_KEY=${key}`,
      ].join('\n'),
  },
] as const

/** Links that set up a client, as One API has them; `chat` is the operator's chat application. */
export function clients({ server, key, chat }: { server: string; key: string; chat: string }) {
  const encoded = encodeURIComponent(server)
  const settings = (value: unknown) => encodeURIComponent(JSON.stringify(value))
  const base = chat.replace(/\/+$/, '')
  const lobe = { keyVaults: { openai: { apiKey: key, baseURL: `${server}/v1` } } }
  return [
    {
      name: 'ChatGPT Next Web',
      link: `${base || 'https://app.nextchat.dev'}/#/?settings=${settings({ key, url: server })}`,
    },
    { name: 'AMA / BotGem', link: `ama://set-api-key?server=${encoded}&key=${key}` },
    { name: 'OpenCat', link: `opencat://team/join?domain=${encoded}&token=${key}` },
    ...(base ? [{ name: 'LobeChat', link: `${base}/?settings=${settings(lobe)}` }] : []),
  ]
}
