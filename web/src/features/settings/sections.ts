import type { OptionKey } from '../../api/types'

/** Where each option stands: by tab, then by section. */
export const tabs = {
  operation: {
    quota: [
      'QuotaForNewUser',
      'QuotaForInviter',
      'QuotaForInvitee',
      'PreConsumedQuota',
      'HoldOutputTokens',
      'ChargeToleranceTokens',
    ],
    ratios: [
      'ModelRatio',
      'CompletionRatio',
      'GroupRatio',
      'CacheRatio',
      'CreateCacheRatio',
      'CreateCache1hRatio',
      'AudioRatio',
      'AudioCompletionRatio',
      'ReasoningRatio',
      'ToolPrice',
      'ModelPrice',
    ],
    monitoring: [
      'ChannelDisableThreshold',
      'AutomaticDisableChannelEnabled',
      'AutomaticEnableChannelEnabled',
      'QuotaRemindThreshold',
    ],
    general: [
      'TopUpLink',
      'ChatLink',
      'QuotaPerUnit',
      'RetryTimes',
      'DisplayInCurrencyEnabled',
      'DisplayTokenStatEnabled',
      'ApproximateTokenEnabled',
    ],
    limits: ['CallLimits'],
    proxy: ['ProxyRelayEnabled', 'ProxyRequestQuota'],
    logs: ['LogConsumeEnabled', 'LogRetentionDays', 'UsageRollupEnabled'],
  },
  system: {
    address: ['ServerAddress'],
    login: [
      'PasswordLoginEnabled',
      'PasswordRegisterEnabled',
      'RegisterEnabled',
      'EmailVerificationEnabled',
      'UniformAnswersEnabled',
      'GitHubOAuthEnabled',
      'OidcEnabled',
      'WeChatAuthEnabled',
      'TurnstileCheckEnabled',
    ],
    domains: ['EmailDomainRestrictionEnabled', 'EmailDomainWhitelist'],
    smtp: ['SMTPServer', 'SMTPPort', 'SMTPAccount', 'SMTPFrom', 'SMTPToken', 'SMTPVerifyCertificate'],
    github: ['GitHubClientId', 'GitHubClientSecret'],
    lark: ['LarkClientId', 'LarkClientSecret'],
    oidc: [
      'OidcClientId',
      'OidcClientSecret',
      'OidcWellKnown',
      'OidcAuthorizationEndpoint',
      'OidcTokenEndpoint',
      'OidcUserinfoEndpoint',
    ],
    wechat: ['WeChatServerAddress', 'WeChatServerToken', 'WeChatAccountQRCodeImageURL'],
    pusher: ['MessagePusherAddress', 'MessagePusherToken'],
    turnstile: ['TurnstileSiteKey', 'TurnstileSecretKey'],
  },
  other: {
    site: ['SystemName', 'Logo', 'Theme', 'Footer'],
    texts: ['Notice', 'HomePageContent', 'About'],
  },
} as const satisfies Record<string, Record<string, readonly OptionKey[]>>

export type Tab = keyof typeof tabs
type SectionsOf<T extends Tab> = (typeof tabs)[T]
export type Section = { [T in Tab]: keyof SectionsOf<T> }[Tab]
type Placed = { [T in Tab]: { [S in keyof SectionsOf<T>]: SectionsOf<T>[S] }[keyof SectionsOf<T>] }[Tab] extends infer L
  ? L extends readonly (infer K)[]
    ? K
    : never
  : never

/** An option of the gateway that stands nowhere is a type error here. */
export const everywhere: Exclude<OptionKey, Placed> extends never ? true : Exclude<OptionKey, Placed> = true

export const isTab = (word: string): word is Tab => word in tabs

/** Texts of several lines. */
export const long: ReadonlySet<OptionKey> = new Set<OptionKey>(['Notice', 'HomePageContent', 'About', 'Footer', 'CallLimits'])

/** Amounts of quota, shown with what they are worth. */
export const quotas: ReadonlySet<OptionKey> = new Set<OptionKey>([
  'QuotaForNewUser',
  'QuotaForInviter',
  'QuotaForInvitee',
  'PreConsumedQuota',
  'QuotaRemindThreshold',
  'ProxyRequestQuota',
])
