export const en = {
  title: 'About',
  text: 'A gateway for language models: one endpoint before every provider, with keys, quota and exact billing. The operator of this installation can put a text of his own here, in the settings.',
  version: 'Version {{version}}',
}
