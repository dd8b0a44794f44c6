import { en as about } from '../features/about/en'
import { en as account } from '../features/account/en'
import { en as app } from '../app/en'
import { en as channels } from '../features/channels/en'
import { en as chat } from '../features/chat/en'
import { en as common } from '../ui/en'
import { en as dashboard } from '../features/dashboard/en'
import { en as home } from '../features/home/en'
import { en as login } from '../features/login/en'
import { en as logs } from '../features/logs/en'
import { en as playground } from '../features/playground/en'
import { en as profile } from '../features/profile/en'
import { en as redemptions } from '../features/redemptions/en'
import { en as settings } from '../features/settings/en'
import { en as tokens } from '../features/tokens/en'
import { en as topup } from '../features/topup/en'
import { en as users } from '../features/users/en'

/** The English words, one part for each feature. */
export const en = {
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
