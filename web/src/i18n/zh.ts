import { zh as about } from '../features/about/zh'
import { zh as account } from '../features/account/zh'
import { zh as app } from '../app/zh'
import { zh as channels } from '../features/channels/zh'
import { zh as chat } from '../features/chat/zh'
import { zh as common } from '../ui/zh'
import { zh as dashboard } from '../features/dashboard/zh'
import { zh as home } from '../features/home/zh'
import { zh as login } from '../features/login/zh'
import { zh as logs } from '../features/logs/zh'
import { zh as playground } from '../features/playground/zh'
import { zh as profile } from '../features/profile/zh'
import { zh as redemptions } from '../features/redemptions/zh'
import { zh as settings } from '../features/settings/zh'
import { zh as tokens } from '../features/tokens/zh'
import { zh as topup } from '../features/topup/zh'
import { zh as users } from '../features/users/zh'
import type { en } from './en'

/** `typeof en` makes a forgotten sentence a type error. */
export const zh: typeof en = {
  about,
  account,
  app,
  channels,
  chat,
  common,
  dashboard,
  home,
  login,
  logs,
  playground,
  profile,
  redemptions,
  settings,
  tokens,
  topup,
  users,
}
