import type { en } from './en'

export const zh: typeof en = {
  title: '充值',
  left: '剩余额度',
  used_one: '已用 {{used}}，共 {{count}} 次请求',
  used_other: '已用 {{used}}，共 {{count}} 次请求',
  history: '充值记录',
  redeem: '使用兑换码',
  code: '兑换码',
  submit: '兑换',
  redeemed: '已充值 {{quota}}',
  buy: '购买额度',
  buyHint: '商店将在新标签页中打开，并会得知你的用户名和 ID。',
  noShop: '管理员未设置充值链接，请向管理员索取兑换码。',
  toShop: '前往购买',
  invite: '邀请好友',
  inviteHint: '通过你的链接注册的用户会记为由你邀请。',
  link: '你的邀请链接',
  makeLink: '生成链接',
  copyLink: '复制邀请链接',
}
