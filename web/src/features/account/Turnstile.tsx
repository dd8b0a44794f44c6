import { Box, useComputedColorScheme } from '@mantine/core'
import { useEffect, useEffectEvent, useRef } from 'react'
import { useTranslation } from 'react-i18next'

import { useStatus } from '../../app/session'

/** https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/ */
const SCRIPT = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit'

interface Api {
  render: (
    element: HTMLElement,
    options: {
      sitekey: string
      theme: 'light' | 'dark'
      language: string
      callback: (token: string) => void
      'expired-callback': () => void
    },
  ) => string
  remove: (widget: string) => void
}

declare global {
  interface Window {
    turnstile?: Api
  }
}

let loading: Promise<Api> | undefined

/** The only script from elsewhere, and only where the operator switched it on. */
function load(): Promise<Api> {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = SCRIPT
    script.async = true
    script.onload = () => {
      if (window.turnstile) resolve(window.turnstile)
      else reject(new Error('Turnstile'))
    }
    script.onerror = () => {
      loading = undefined
      reject(new Error('Turnstile'))
    }
    document.head.append(script)
  })
  return loading
}

/** Shows that a person sits here. `onToken` gets '' when what it got before is no longer good. */
export function Turnstile({ onToken }: { onToken: (token: string) => void }) {
  const status = useStatus().data
  if (!status?.turnstile_check) return null
  return <Widget key={status.turnstile_site_key} site={status.turnstile_site_key} onToken={onToken} />
}

function Widget({ site, onToken }: { site: string; onToken: (token: string) => void }) {
  const { t, i18n } = useTranslation()
  const scheme = useComputedColorScheme('light')
  const box = useRef<HTMLDivElement>(null)
  const tell = useEffectEvent(onToken)
  useEffect(() => {
    let widget: string | undefined
    let api: Api | undefined
    let gone = false
    load()
      .then((found) => {
        if (gone || !box.current) return
        api = found
        widget = found.render(box.current, {
          sitekey: site,
          theme: scheme,
          language: i18n.language,
          callback: (token) => tell(token),
          'expired-callback': () => tell(''),
        })
      })
      .catch(() => {
        if (box.current) box.current.textContent = t('account.turnstile')
      })
    return () => {
      gone = true
      if (widget !== undefined) api?.remove(widget)
    }
  }, [site, scheme, i18n, t])
  return <Box ref={box} mih={65} />
}
