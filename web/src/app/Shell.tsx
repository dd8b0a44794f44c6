import { Anchor, AppShell, Burger, Button, Group, Image, NavLink, Text } from '@mantine/core'
import { useDisclosure, useDocumentTitle } from '@mantine/hooks'
import { IconLogin2, IconLogout } from '@tabler/icons-react'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { ROOT } from '../api/types'
import { menu } from './menu'
import { Preferences } from './Preferences'
import { isAdmin, useLogout, useSession, useStatus } from './session'
import classes from './Shell.module.css'

export function Shell() {
  const { t } = useTranslation()
  const [opened, navbar] = useDisclosure()
  const name = useStatus().data?.system_name ?? 'One API'
  useDocumentTitle(name)

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'md', sm: 'xl' }}
    >
      <Anchor href="#content" className={classes.skip}>
        {t('app.skip')}
      </Anchor>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger opened={opened} onClick={navbar.toggle} hiddenFrom="sm" size="sm" aria-label={t('app.menu')} />
          <Image src="/logo.svg" alt="" w={28} h={28} />
          <Text fw={600} fz="lg" truncate>
            {name}
          </Text>
          <Group ml="auto" gap="xs" wrap="nowrap">
            <Preferences />
            <Account />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t('app.menu')}>
        <Pages close={navbar.close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}

function Pages({ close }: { close: () => void }) {
  const { t } = useTranslation()
  const session = useSession()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const shown = { all: true, users: Boolean(session.data), admins: isAdmin(session.data), roots: session.data?.role === ROOT }
  return menu
    .filter((page) => shown[page.shown])
    .map(({ to, label, icon: Icon }) => (
      <NavLink
        key={to}
        component={Link}
        to={to}
        label={t(label)}
        leftSection={<Icon size={18} aria-hidden />}
        active={path === to || (to !== '/' && path.startsWith(`${to}/`))}
        aria-current={path === to ? 'page' : undefined}
        className={classes.page}
        onClick={close}
      />
    ))
}

function Account() {
  const { t } = useTranslation()
  const session = useSession()
  const logout = useLogout()
  if (session.data)
    return (
      <Button
        variant="default"
        size="xs"
        loading={logout.isPending}
        onClick={() => logout.mutate()}
        title={session.data.display_name || session.data.username}
        aria-label={t('app.logout')}
      >
        <IconLogout size={16} aria-hidden />
        <Text span inherit ml={6} visibleFrom="sm">
          {t('app.logout')}
        </Text>
      </Button>
    )
  return (
    <Button component={Link} to="/login" variant="default" size="xs" leftSection={<IconLogin2 size={16} aria-hidden />}>
      {t('app.login')}
    </Button>
  )
}
