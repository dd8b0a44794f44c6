import type { en } from './en'

export const zh: typeof en = {
  title: '状态',
  version: '版本',
  started: '启动时间',
  address: 'API 地址',
  account: '我的账户',
  quota: '剩余额度',
  used: '已用额度',
  requests: '请求次数',
  group: '分组',
  start: '快速开始',
  channels: '添加渠道：填写上游的地址和密钥。',
  tokens: '创建令牌：你的程序用它来调用。',
  playground: '在本页的操练场或终端里向模型提问：',
  copy: '复制命令',
  offline: '无法连接至服务器。',
}
