export const en = {
  title: 'Log in',
  username: 'User name or e-mail',
  password: 'Password',
  submit: 'Log in',
  reveal: 'Show or hide what you type',
  register: 'Create an account',
  forgotten: 'Password forgotten?',
}
