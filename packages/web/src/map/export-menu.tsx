import { MAP_EXPORT_FORMATS, type MapView } from '@habeas/contract/api';
import { Button, Menu } from '@mantine/core';
import { urlOf } from '../api/define.ts';
import { layOut } from '../graph/lay-out.ts';
import { saveFile } from '../parts/save-file.ts';
import { collapse } from './collapse.ts';
import { NODE_SIZE } from './drawn.ts';
import { type PictureOptions, pictureOf, toPng } from './picture.ts';
import { type MapSearch, openTeams, queryOf } from './search.ts';

export interface ExportMenuProps {
  readonly map: MapView;
  readonly search: MapSearch;
  readonly progress: PictureOptions['progress'];
}

/** The picture as it is shown, and the map in every format of the API, both with the filter of the address. */
export function ExportMenu({ map, search, progress }: ExportMenuProps) {
  const picture = async () => {
    const drawn = collapse(map, openTeams(search.open));
    const positions = await layOut({
      nodes: drawn.nodes.map(({ id }) => ({ id, ...NODE_SIZE })),
      edges: drawn.links.map(({ from, to }) => ({ from, to })),
    });
    return pictureOf(drawn, positions, { progress });
  };
  const { compare_to: _, ...filter } = queryOf(search);
  return (
    <Menu shadow="md" position="bottom-end">
      <Menu.Target>
        <Button variant="default">Export</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>The picture</Menu.Label>
        <Menu.Item onClick={async () => saveFile('map.svg', 'image/svg+xml', (await picture()).svg)}>
          SVG
        </Menu.Item>
        <Menu.Item onClick={async () => saveFile('map.png', 'image/png', await toPng(await picture()))}>
          PNG
        </Menu.Item>
        <Menu.Label>The map</Menu.Label>
        {MAP_EXPORT_FORMATS.map((format) => (
          <Menu.Item
            key={format}
            component="a"
            href={urlOf('/api/v1/map/export', {}, { ...filter, format })}
            download
          >
            {format}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
