import type { en } from './en'

export const zh: typeof en = {
  title: '操练场',
  intro: '流式调用 /v1/chat/completions，费用由所选令牌承担。',
  token: '令牌',
  model: '模型',
  prompt: '你的消息',
  send: '发送',
  stop: '停止',
  answer: '回答',
  placeholder: '回答会显示在这里。',
  figures: '首字 {{first}} 毫秒，{{input}} + {{output}} 个 token',
  noToken: '需要先有一个已启用的令牌。',
  makeToken: '创建令牌',
  noModels: '所在分组还没有模型',
}
