import { useStatus } from '../../app/session'

const UNSET = 'http://localhost:3000' // what the gateway says until an operator sets its address

/** Where programs find the gateway, without a slash at the end. */
export function useServer(): string {
  const said = address(useStatus().data?.server_address ?? '')
  return (said && said !== UNSET ? said : location.origin).replace(/\/+$/, '')
}

/** An address of a page, or nothing: what an operator typed may be anything. */
export const address = (text: string): string => (/^https?:\/\/\S+$/.test(text.trim()) ? text.trim() : '')
