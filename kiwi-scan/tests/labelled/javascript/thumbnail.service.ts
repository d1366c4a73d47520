import { Body, Controller, Post } from '@nestjs/common';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

class ThumbnailDto {
  assetId!: number;
  geometry!: string;
}

@Controller('thumbnails')
export class ThumbnailController {
  @Post()
  async create(@Body() dto: ThumbnailDto) {
    const id = Number(dto.assetId);
    const args = ['-resize', dto.geometry, `/srv/assets/${id}.png`, `/srv/thumbs/${id}.png`];
    const child = spawn('convert', args, { shell: true, stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    return { id, ok: code === 0 };
  }
}
