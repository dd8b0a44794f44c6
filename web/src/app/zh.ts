import type { en } from './en'

export const zh: typeof en = {
  skip: '跳到正文',
  menu: '菜单',
  language: '语言',
  scheme: { title: '外观', light: '浅色', dark: '深色', auto: '跟随系统' },
  login: '登录',
  logout: '退出登录',
  account: '{{name}} 的账户',
  pages: '页面',
  manage: '管理',
  docs: 'API',
  expired: '登录已过期，请重新登录。',
  notFoundHint: '它可能已移动，或地址有误。',
  goHome: '返回首页',
  notFound: '没有这个页面。',
  broken: '页面无法显示。',
  retry: '重试',
}
