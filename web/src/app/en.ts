export const en = {
  skip: 'Skip to content',
  menu: 'Menu',
  language: 'Language',
  scheme: { title: 'Appearance', light: 'Light', dark: 'Dark', auto: 'As the system' },
  login: 'Log in',
  logout: 'Log out',
  notFound: 'There is no such page.',
  broken: 'This page could not be shown.',
  retry: 'Try again',
}
