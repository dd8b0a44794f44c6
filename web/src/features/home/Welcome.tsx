import { Button, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { IconCoin, IconPlugConnected, IconRoute } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { useStatus } from '../../app/session'
import classes from './home.module.css'

const points = [
  ['one', IconPlugConnected],
  ['route', IconRoute],
  ['exact', IconCoin],
] as const

/** The built-in home page of visitors. */
export function Welcome() {
  const { t } = useTranslation()
  const name = useStatus().data?.system_name || 'One API'
  return (
    <Stack gap="xl" py={{ base: 'md', sm: '6vh' }}>
      <Stack gap="md" align="center" ta="center">
        <Title order={1} fz={{ base: 32, sm: 44 }} lh={1.2}>
          {name}
        </Title>
        <Text fz={{ base: 'md', sm: 'xl' }} c="dimmed" maw={640}>
          {t('home.tagline')}
        </Text>
        <Group mt="sm" justify="center">
          <Button component={Link} to="/login" size="md">
            {t('login.submit')}
          </Button>
          <Button component={Link} to="/register" size="md" variant="default">
            {t('account.register.submit')}
          </Button>
        </Group>
      </Stack>
      <SimpleGrid cols={{ base: 1, sm: 3 }} mt="md">
        {points.map(([key, Icon]) => (
          <Card key={key} withBorder p="lg">
            <Icon size={26} aria-hidden className={classes.icon} />
            <Text fw={600} mt="sm">
              {t(`home.points.${key}.title`)}
            </Text>
            <Text size="sm" c="dimmed" mt={4}>
              {t(`home.points.${key}.text`)}
            </Text>
          </Card>
        ))}
      </SimpleGrid>
    </Stack>
  )
}
