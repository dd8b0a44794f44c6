import {
  Anchor,
  AppShell,
  Box,
  Burger,
  Button,
  Group,
  Image,
  Menu,
  NavLink,
  ScrollArea,
  Stack,
  Text,
  VisuallyHidden,
} from '@mantine/core'
import { useDisclosure, useDocumentTitle, useFavicon } from '@mantine/hooks'
import { IconChevronDown, IconLogin2, IconLogout, IconUserCircle } from '@tabler/icons-react'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { Footer } from './Footer'
import { menu } from './menu'
import { Preferences } from './Preferences'
import { isAdmin, isRoot, useLogout, useSession, useStatus } from './session'
import classes from './Shell.module.css'
import { layout } from './theme'

const navbars = {
  bar: { width: 240, breakpoint: 'lg' },
  sidebar: { width: 220, breakpoint: 'sm' },
  rail: { width: 84, breakpoint: 'sm' },
} as const

export function Shell() {
  const { t } = useTranslation()
  const [opened, navbar] = useDisclosure()
  const status = useStatus().data
  // The page that is there, unlike the address, which is that of the page to come.
  const page = useRouterState({ select: (state) => state.matches.at(-1)?.pathname })
  const name = status?.system_name || 'One API'
  const logo = status?.logo || '/logo.svg'
  useDocumentTitle(name)
  useFavicon(logo)
  const { width, breakpoint } = navbars[layout]

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width, breakpoint, collapsed: { mobile: !opened, desktop: layout === 'bar' } }}
      padding={{ base: 'md', sm: 'xl' }}
    >
      <Anchor href="#content" className={classes.skip}>
        {t('app.skip')}
      </Anchor>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger
            opened={opened}
            onClick={navbar.toggle}
            hiddenFrom={breakpoint}
            size="sm"
            aria-label={t('app.menu')}
            aria-expanded={opened}
          />
          <Link to="/" className={classes.brand} onClick={navbar.close}>
            <Image src={logo} alt="" w={28} h={28} fit="contain" />
            <Text fw={600} fz="lg" truncate maw={{ base: 130, sm: 200 }}>
              {name}
            </Text>
          </Link>
          {layout === 'bar' && <Bar />}
          <Group ml="auto" gap="xs" wrap="nowrap">
            <Preferences />
            <Account />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p={layout === 'rail' ? 6 : 'xs'} aria-label={t('app.menu')}>
        <ScrollArea type="auto" scrollbars="y">
          {layout === 'rail' && <Rail />}
          <Box hiddenFrom={layout === 'rail' ? breakpoint : undefined}>
            <Pages close={navbar.close} />
          </Box>
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main} data-page={page}>
        <div className={classes.content}>
          <Outlet />
        </div>
        <Footer />
      </AppShell.Main>
    </AppShell>
  )
}

/** The pages for whoever is here; what administrators have besides comes after what all have. */
function usePages() {
  const { t } = useTranslation()
  const session = useSession()
  const chat = useStatus().data?.chat_link
  const path = useRouterState({ select: (state) => state.location.pathname })
  const shown = { all: true, users: Boolean(session.data), admins: isAdmin(session.data), roots: isRoot(session.data) }
  return menu
    .filter((page) => shown[page.shown] && (page.to !== '/chat' || chat))
    .map(({ to, label, icon, shown: who }) => ({
      to,
      label: t(label),
      icon,
      manages: who === 'admins' || who === 'roots',
      active: to === '/' ? path === to : path === to || path.startsWith(`${to}/`),
    }))
}

function Bar() {
  const { t } = useTranslation()
  return (
    <Group component="nav" aria-label={t('app.pages')} gap={2} wrap="nowrap" visibleFrom="lg" ml="sm">
      {usePages()
        .filter(({ to }) => to !== '/' && to !== '/about') // the name leads home, the footer to the other
        .map(({ to, label, active }) => (
          <Link key={to} to={to} className={classes.tab} aria-current={active ? 'page' : undefined}>
            {label}
          </Link>
        ))}
    </Group>
  )
}

function Rail() {
  return (
    <Stack gap={4} visibleFrom="sm">
      {usePages().map(({ to, label, icon: Icon, active }) => (
        <Link key={to} to={to} className={classes.railed} aria-current={active ? 'page' : undefined}>
          <Icon size={20} aria-hidden />
          {label}
        </Link>
      ))}
    </Stack>
  )
}

function Pages({ close }: { close: () => void }) {
  const { t } = useTranslation()
  const pages = usePages()
  const link = ({ to, label, icon: Icon, active }: (typeof pages)[number]) => (
    <NavLink
      key={to}
      component={Link}
      to={to}
      label={label}
      leftSection={<Icon size={18} aria-hidden />}
      active={active}
      aria-current={active ? 'page' : undefined}
      className={classes.page}
      onClick={close}
    />
  )
  const managing = pages.filter((page) => page.manages)
  return (
    <>
      {pages.filter((page) => !page.manages && page.to !== '/about').map(link)}
      {managing.length > 0 && (
        <Text size="xs" c="dimmed" fw={600} px="sm" pt="md" pb={4}>
          {t('app.manage')}
        </Text>
      )}
      {managing.map(link)}
      <Box mt="md">{pages.filter((page) => page.to === '/about').map(link)}</Box>
    </>
  )
}

function Account() {
  const { t } = useTranslation()
  const session = useSession()
  const logout = useLogout()
  if (session.isPending) return <VisuallyHidden>{t('common.wait')}</VisuallyHidden>
  if (!session.data)
    return (
      <Button component={Link} to="/login" variant="default" size="xs" leftSection={<IconLogin2 size={16} aria-hidden />}>
        {t('app.login')}
      </Button>
    )
  const name = session.data.display_name || session.data.username
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" h={34} px="xs" loading={logout.isPending} aria-label={t('app.account', { name })}>
          <IconUserCircle size={18} aria-hidden />
          <Text span size="sm" ml={6} maw={120} truncate visibleFrom="sm">
            {name}
          </Text>
          <IconChevronDown size={14} aria-hidden style={{ marginLeft: 4 }} />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to="/profile" leftSection={<IconUserCircle size={16} aria-hidden />}>
          {t('profile.title')}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => logout.mutate()}>
          {t('app.logout')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
