import { en as app } from '../app/en'
import { en as common } from '../ui/en'
import { en as channels } from '../features/channels/en'
import { en as login } from '../features/login/en'
import { en as playground } from '../features/playground/en'
import { en as redemptions } from '../features/redemptions/en'
import { en as settings } from '../features/settings/en'
import { en as status } from '../features/status/en'
import { en as tokens } from '../features/tokens/en'
import { en as users } from '../features/users/en'

/** The English words, one part for each feature. */
export const en = {
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
