import type { en } from './en'

export const zh: typeof en = {
  title: '聊天',
  none: '管理员尚未配置聊天应用。你可以使用：',
}
