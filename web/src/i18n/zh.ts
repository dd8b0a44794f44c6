import { zh as app } from '../app/zh'
import { zh as common } from '../ui/zh'
import { zh as channels } from '../features/channels/zh'
import { zh as login } from '../features/login/zh'
import { zh as playground } from '../features/playground/zh'
import { zh as redemptions } from '../features/redemptions/zh'
import { zh as settings } from '../features/settings/zh'
import { zh as status } from '../features/status/zh'
import { zh as tokens } from '../features/tokens/zh'
import { zh as users } from '../features/users/zh'
import type { en } from './en'

/** `typeof en` makes a forgotten sentence a type error. */
export const zh: typeof en = {
  app,
  common,
  channels,
  login,
  playground,
  redemptions,
  settings,
  status,
  tokens,
  users,
}
