/**
 * The `ref` of a form that is a page's purpose: its field with `data-autofocus` takes the first keys, as it does in a
 * dialog. Not where a keyboard on the screen would cover half of the page.
 */
export function focusFirst(form: HTMLFormElement | null) {
  if (!matchMedia('(hover: hover)').matches) return
  form?.querySelector<HTMLElement>('[data-autofocus]')?.focus({ preventScroll: true })
}
