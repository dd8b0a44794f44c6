import js from '@eslint/js'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import hooks from 'eslint-plugin-react-hooks'
import { defineConfig } from 'eslint/config'
import ts from 'typescript-eslint'

export default defineConfig(
  { ignores: ['src/api/schema.ts'] }, // generated
  { files: ['eslint.config.js'], extends: [js.configs.recommended] },
  {
    files: ['src/**', 'vite.config.ts'],
    extends: [
      js.configs.recommended,
      ts.configs.strictTypeChecked,
      jsxA11y.flatConfigs.strict,
      hooks.configs.flat['recommended-latest'],
    ],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-confusing-void-expression': 'off', // `onClick={() => open()}`
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
)
