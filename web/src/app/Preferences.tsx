import { ActionIcon, Menu, type MantineColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconCheck, IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

import { languages, speak, type Language } from '../i18n'

const schemes = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon } as const

export function Preferences() {
  const { t, i18n } = useTranslation()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const Current = schemes[colorScheme]
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size="lg" aria-label={t('app.language')}>
            <IconLanguage size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(languages) as Language[]).map((language) => (
            <Menu.Item
              key={language}
              lang={language}
              rightSection={i18n.language === language && <IconCheck size={16} aria-hidden />}
              onClick={() => speak(language)}
            >
              {languages[language]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size="lg" aria-label={t('app.scheme.title')}>
            <Current size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(schemes) as MantineColorScheme[]).map((scheme) => {
            const Icon = schemes[scheme]
            return (
              <Menu.Item
                key={scheme}
                leftSection={<Icon size={16} aria-hidden />}
                rightSection={colorScheme === scheme && <IconCheck size={16} aria-hidden />}
                onClick={() => setColorScheme(scheme)}
              >
                {t(`app.scheme.${scheme}`)}
              </Menu.Item>
            )
          })}
        </Menu.Dropdown>
      </Menu>
    </>
  )
}
