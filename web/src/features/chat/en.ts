export const en = {
  title: 'Chat',
  none: 'No chat application has been set up here. There is one page to talk to a model:',
}
