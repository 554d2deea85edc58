import { Button, type ButtonProps } from '@mantine/core';
import type { ComponentProps } from 'react';

export interface BusyButtonProps extends Omit<ButtonProps, 'loading'> {
  /** Whether what it started still goes on: until then it starts nothing else. */
  readonly busy: boolean;
  readonly type?: 'submit';
  readonly 'aria-label'?: string;
  readonly onClick?: () => void;
}

/** A button whose act takes time. It keeps the focus meanwhile, so that whoever uses a keyboard is not thrown to the top of the page. */
export function BusyButton({ busy, ...props }: BusyButtonProps) {
  return <Button {...props} component={StillFocused} loading={busy} />;
}

/** Mantine disables what is loading, and what is disabled loses the focus (ARIA APG: focusability of disabled controls). */
function StillFocused({ disabled = false, type = 'button', onClick, ...props }: ComponentProps<'button'>) {
  return (
    <button
      {...props}
      type={type}
      aria-disabled={disabled || undefined}
      onClick={disabled ? (event) => event.preventDefault() : onClick}
    />
  );
}
