/** Objects of the management API, by the gateway's own description. Times are Unix seconds, quota is in units. */

import type { components } from './schema'

type Schemas = components['schemas']

export type Status = Schemas['status.Status']
export type User = Schemas['shown.ShownUser']
/** `expired_time` -1: never. */
export type Token = Schemas['tokens.Token']
export type Log = Schemas['logs.Log']
/** One model on one day, by One API's names. */
export type Bar = Schemas['logs.Bar']
/** What a user or channel used. */
export type Share = Schemas['usage.Share']
/** `response_time` is in milliseconds; 0: never tested. */
export type Channel = Schemas['channels.Shown']

export type ChannelType = Schemas['models.ChannelType']
export type Redemption = Schemas['redemptions.Redemption']
export type OptionType = Schemas['options.OptionType']
export type OidcEndpoints = Schemas['options.OidcEndpoints']
export type OptionKey = OptionType['key']

export const ADMIN = 10
export const ROOT = 100
export const ENABLED = 1
export const DISABLED = 2
