import { Body, Controller, Post } from '@nestjs/common';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const GEOMETRY = new Map<string, string>([
  ['small', '120x120'],
  ['large', '640x640'],
]);

class ResizeDto {
  assetId!: number;
  size!: string;
}

@Controller('resize')
export class ResizeController {
  @Post()
  async create(@Body() dto: ResizeDto) {
    const id = Math.trunc(Number(dto.assetId)) || 0;
    const geometry = GEOMETRY.get(dto.size) ?? '120x120';
    const child = spawn('convert', ['-resize', geometry, `/srv/assets/${id}.png`, `/srv/thumbs/${id}.png`], {
      stdio: 'ignore',
    });
    const [code] = await once(child, 'exit');
    return { id, ok: code === 0 };
  }
}
