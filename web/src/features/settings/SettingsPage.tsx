import { Anchor, Group, Stack, Tabs } from '@mantine/core'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import type { OptionKey } from '../../api/types'
import { Failure } from '../../ui/Failure'
import { Page } from '../../ui/Page'
import { Waiting } from '../../ui/Waiting'
import { useOptions } from './api'
import { ForgetLogs } from './ForgetLogs'
import { SectionCard } from './SectionCard'
import classes from './settings.module.css'
import { isTab, tabs, type Section, type Tab } from './sections'
import { TestMail } from './TestMail'

/** The options of the gateway: all of them, by the gateway's own description. */
export function SettingsPage() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const said = useParams({ strict: false }).tab ?? ''
  const tab: Tab = isTab(said) ? said : 'operation'
  const options = useOptions()
  return (
    <Page title={t('settings.title')} intro={t('settings.intro')}>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => void navigate({ to: '/settings/$tab', params: { tab: next ?? 'operation' } })}
      >
        <Tabs.List mb="lg">
          {(Object.keys(tabs) as Tab[]).map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`settings.tabs.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {options.isPending && <Waiting />}
        {options.isError && <Failure error={options.error} retry={options.refetch} />}
        {options.data && (
          <Tabs.Panel value={tab}>
            <Group align="flex-start" wrap="nowrap" gap="xl">
            <Stack gap="lg" maw={860} flex={1} miw={0}>
              {(Object.entries(tabs[tab]) as [Section, readonly OptionKey[]][]).map(([section, keys]) => (
                <SectionCard key={section} section={section} keys={keys} options={options.data}>
                  {section === 'smtp' && <TestMail />}
                  {section === 'logs' && <ForgetLogs />}
                </SectionCard>
              ))}
            </Stack>
            <Contents sections={Object.keys(tabs[tab]) as Section[]} />
            </Group>
          </Tabs.Panel>
        )}
      </Tabs>
    </Page>
  )
}

/** Where there is room beside the sections: the way to each of them. */
function Contents({ sections }: { sections: Section[] }) {
  const { t } = useTranslation()
  if (sections.length < 3) return null
  return (
    <Stack component="nav" aria-label={t('settings.contents')} gap={6} visibleFrom="lg" className={classes.contents}>
      {sections.map((section) => (
        <Anchor
          key={section}
          href={`#${section}`}
          size="sm"
          c="dimmed"
          onClick={(event) => {
            event.preventDefault() // an address of its own would be a step back to nowhere
            document.getElementById(section)?.scrollIntoView({ block: 'start' })
          }}
        >
          {t(`settings.sections.${section}`)}
        </Anchor>
      ))}
    </Stack>
  )
}
