import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

import { en } from './en'
import { zh } from './zh'

const STORED = 'one-api-language'

export const languages = { en: 'English', zh: '中文' } as const
export type Language = keyof typeof languages

function preferred(): Language {
  const stored = localStorage.getItem(STORED) ?? navigator.language
  return stored.startsWith('zh') ? 'zh' : 'en'
}

/** The browser's own way to write the language, so that who reads English in Berlin sees no American dates. */
export const localeOf = (language: string) =>
  navigator.languages.find((each) => each.split('-')[0] === language) ?? language

export const i18n = i18next.createInstance({
  resources: { en: { translation: en }, zh: { translation: zh } },
  lng: preferred(),
  fallbackLng: 'en',
  interpolation: { escapeValue: false }, // React escapes
})

i18n.on('languageChanged', (language) => {
  document.documentElement.lang = language
})
void i18n.use(initReactI18next).init()

/** What another tab chose, as Mantine does it with the colours. */
window.addEventListener('storage', ({ key, newValue }) => {
  if (key === STORED && newValue) void i18n.changeLanguage(newValue)
})

export function speak(language: Language) {
  localStorage.setItem(STORED, language)
  void i18n.changeLanguage(language)
}

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en }
  }
}
