import type { en } from './en'

export const zh: typeof en = {
  title: '关于',
  text: '大模型网关：在所有提供商之前提供统一入口，支持密钥、额度与精确计费。管理员可以在设置中把这里换成自己的内容。',
  version: '版本 {{version}}',
}
