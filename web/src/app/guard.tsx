import type { ComponentType } from 'react'

import { Private } from './session'

/** The page for those who are logged in; others come back to it after the login. */
export const forUsers = (Page: ComponentType) =>
  function ForUsers() {
    return (
      <Private>
        <Page />
      </Private>
    )
  }

export const forAdmins = (Page: ComponentType) =>
  function ForAdmins() {
    return (
      <Private admin>
        <Page />
      </Private>
    )
  }
