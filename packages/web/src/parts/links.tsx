import {
  Anchor,
  type AnchorProps,
  Button,
  type ButtonProps,
  NavLink,
  type NavLinkProps,
} from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentProps } from 'react';

type InAnchor<Props> = Props & Omit<ComponentProps<'a'>, keyof Props>;

/** Mantine's look, the router's way: no page is loaded again. */
export const TextLink = createLink((props: InAnchor<AnchorProps>) => <Anchor {...props} />);
export const ButtonLink = createLink((props: InAnchor<ButtonProps>) => <Button component="a" {...props} />);
export const MenuLink = createLink((props: InAnchor<NavLinkProps>) => <NavLink component="a" {...props} />);
