/** Channel types by One API's numbers, in the order of its menu. `key` tells the form of keys with parts. */

export interface ChannelType {
  id: number
  en: string
  zh: string
  base: string
  key?: string
  config?: readonly ConfigField[]
}

/** Settings of a few types, stored as JSON in the channel's `config`. */
export type ConfigField =
  'region' | 'ak' | 'sk' | 'user_id' | 'api_version' | 'library_id' | 'plugin' | 'vertex_ai_project_id' | 'vertex_ai_adc'

/** Types whose key is made of their settings. */
export const composedKey = (type: ChannelType | undefined) => type?.id === 33 || type?.id === 42

export const channelTypes: readonly ChannelType[] = [
  { id: 1, en: 'OpenAI', zh: 'OpenAI', base: 'https://api.openai.com' },
  { id: 50, en: 'OpenAI compatible', zh: 'OpenAI 兼容', base: '' },
  { id: 14, en: 'Anthropic', zh: 'Anthropic', base: 'https://api.anthropic.com' },
  { id: 33, en: 'AWS', zh: 'AWS', base: '', config: ['region', 'ak', 'sk'] },
  { id: 3, en: 'Azure', zh: 'Azure', base: '', config: ['api_version'] },
  { id: 11, en: 'PaLM2', zh: 'PaLM2', base: 'https://generativelanguage.googleapis.com' },
  { id: 24, en: 'Gemini', zh: 'Gemini', base: 'https://generativelanguage.googleapis.com', config: ['api_version'] },
  { id: 51, en: 'Gemini (OpenAI)', zh: 'Gemini (OpenAI)', base: 'https://generativelanguage.googleapis.com/v1beta/openai/' },
  { id: 28, en: 'Mistral AI', zh: 'Mistral AI', base: 'https://api.mistral.ai' },
  { id: 41, en: 'Novita', zh: 'Novita', base: 'https://api.novita.ai/v3/openai' },
  { id: 40, en: 'Volcengine (Doubao)', zh: '字节火山引擎', base: 'https://ark.cn-beijing.volces.com' },
  { id: 15, en: 'Baidu ERNIE', zh: '百度文心千帆', base: 'https://aip.baidubce.com', key: 'APIKey|SecretKey' },
  { id: 47, en: 'Baidu Qianfan V2', zh: '百度文心千帆 V2', base: 'https://qianfan.baidubce.com' },
  { id: 17, en: 'Alibaba Tongyi Qianwen', zh: '阿里通义千问', base: 'https://dashscope.aliyuncs.com', config: ['plugin'] },
  { id: 49, en: 'Alibaba Cloud Bailian', zh: '阿里云百炼', base: 'https://dashscope.aliyuncs.com' },
  { id: 18, en: 'iFlytek Spark', zh: '讯飞星火认知', base: '', key: 'APPID|APISecret|APIKey', config: ['api_version'] },
  { id: 48, en: 'iFlytek Spark V2', zh: '讯飞星火认知 V2', base: 'https://spark-api-open.xf-yun.com' },
  { id: 16, en: 'Zhipu ChatGLM', zh: '智谱 ChatGLM', base: 'https://open.bigmodel.cn', key: 'id.secret' },
  { id: 19, en: '360 Zhinao', zh: '360 智脑', base: 'https://ai.360.cn' },
  { id: 25, en: 'Moonshot AI', zh: 'Moonshot AI', base: 'https://api.moonshot.cn' },
  { id: 23, en: 'Tencent Hunyuan', zh: '腾讯混元', base: 'https://hunyuan.tencentcloudapi.com', key: 'AppId|SecretId|SecretKey' },
  { id: 26, en: 'Baichuan', zh: '百川大模型', base: 'https://api.baichuan-ai.com' },
  { id: 27, en: 'MiniMax', zh: 'MiniMax', base: 'https://api.minimax.chat' },
  { id: 29, en: 'Groq', zh: 'Groq', base: 'https://api.groq.com/openai' },
  { id: 30, en: 'Ollama', zh: 'Ollama', base: 'http://localhost:11434' },
  { id: 31, en: '01.AI', zh: '零一万物', base: 'https://api.lingyiwanwu.com' },
  { id: 32, en: 'StepFun', zh: '阶跃星辰', base: 'https://api.stepfun.com' },
  { id: 34, en: 'Coze', zh: 'Coze', base: 'https://api.coze.com', config: ['user_id'] },
  { id: 35, en: 'Cohere', zh: 'Cohere', base: 'https://api.cohere.ai' },
  { id: 36, en: 'DeepSeek', zh: 'DeepSeek', base: 'https://api.deepseek.com' },
  { id: 37, en: 'Cloudflare', zh: 'Cloudflare', base: 'https://api.cloudflare.com', config: ['user_id'] },
  { id: 38, en: 'DeepL', zh: 'DeepL', base: 'https://api-free.deepl.com' },
  { id: 39, en: 'together.ai', zh: 'together.ai', base: 'https://api.together.xyz' },
  { id: 42, en: 'VertexAI', zh: 'VertexAI', base: '', config: ['region', 'vertex_ai_project_id', 'vertex_ai_adc'] },
  { id: 43, en: 'Proxy', zh: 'Proxy', base: '' },
  { id: 44, en: 'SiliconFlow', zh: 'SiliconFlow', base: 'https://api.siliconflow.cn' },
  { id: 45, en: 'xAI', zh: 'xAI', base: 'https://api.x.ai' },
  { id: 46, en: 'Replicate', zh: 'Replicate', base: 'https://api.replicate.com/v1/models/' },
  { id: 8, en: 'Custom', zh: '自定义渠道', base: '' },
  { id: 22, en: 'Knowledge base: FastGPT', zh: '知识库：FastGPT', base: 'https://fastgpt.run/api/openapi', key: 'APIKey-AppId' },
  { id: 21, en: 'Knowledge base: AI Proxy', zh: '知识库：AI Proxy', base: 'https://api.aiproxy.io', config: ['library_id'] },
  { id: 20, en: 'OpenRouter', zh: 'OpenRouter', base: 'https://openrouter.ai/api' },
  { id: 2, en: 'Proxy: API2D', zh: '代理：API2D', base: 'https://oa.api2d.net' },
  { id: 5, en: 'Proxy: OpenAI-SB', zh: '代理：OpenAI-SB', base: 'https://api.openai-sb.com' },
  { id: 7, en: 'Proxy: OhMyGPT', zh: '代理：OhMyGPT', base: 'https://api.ohmygpt.com' },
  { id: 10, en: 'Proxy: AI Proxy', zh: '代理：AI Proxy', base: 'https://api.aiproxy.io' },
  { id: 4, en: 'Proxy: CloseAI', zh: '代理：CloseAI', base: 'https://api.closeai-proxy.xyz' },
  { id: 6, en: 'Proxy: OpenAI Max', zh: '代理：OpenAI Max', base: 'https://api.openaimax.com' },
  { id: 9, en: 'Proxy: AI.LS', zh: '代理：AI.LS', base: 'https://api.caipacity.com' },
  { id: 12, en: 'Proxy: API2GPT', zh: '代理：API2GPT', base: 'https://api.api2gpt.com' },
  { id: 13, en: 'Proxy: AIGC2D', zh: '代理：AIGC2D', base: 'https://api.aigc2d.com' },
]

export function typeName(id: number, language: string): string {
  const found = channelTypes.find((type) => type.id === id)
  return found ? found[language.startsWith('zh') ? 'zh' : 'en'] : String(id)
}
