import { Center } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { Failure } from '../parts/states.tsx';

interface BoundaryState {
  readonly error: unknown;
}

/** The last one: what no page caught. */
export class Boundary extends Component<{ readonly children: ReactNode }, BoundaryState> {
  override state: BoundaryState = { error: undefined };

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Center component="main" mih="100vh" p="md">
        <Failure error={error} retry={() => location.reload()} />
      </Center>
    );
  }
}
