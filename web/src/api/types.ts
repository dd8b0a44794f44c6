/** Objects of the management API, as far as the console reads them. Times are Unix seconds, quota is in units. */

export interface Status {
  version: string
  start_time: number
  system_name: string
  server_address: string
  quota_per_unit: number
  display_in_currency: boolean
  footer_html: string
}

export interface User {
  id: number
  username: string
  display_name: string
  role: number
  quota: number
  used_quota: number
  request_count: number
  group: string
}

export const ADMIN = 10

export interface Token {
  id: number
  key: string
  status: number
  name: string
  created_time: number
  expired_time: number // -1: never
  remain_quota: number
  unlimited_quota: boolean
  used_quota: number
  models: string | null
  subnet: string | null
}

export interface Channel {
  id: number
  type: number
  status: number
  name: string
  base_url: string | null
  models: string
  group: string
  model_mapping: string | null
  config: string
  priority: number | null
  weight: number | null
  used_quota: number
  response_time: number // ms; 0: never tested
  test_time: number
}

export const ENABLED = 1
export const DISABLED = 2
