import type { en } from './en'

export const zh: typeof en = {
  title: '登录',
  username: '用户名或邮箱',
  password: '密码',
  submit: '登录',
  reveal: '显示或隐藏密码',
  register: '注册账户',
  forgotten: '忘记密码？',
}
