import { Controller, Get, Query } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { Model } from 'mongoose';
import { Product } from './product.schema';

@Controller('products')
export class ProductFilterController {
  constructor(@InjectModel(Product.name) private readonly products: Model<Product>) {}

  @Get('by-brand')
  async byBrand(@Query('brand') brand: string, @Query('max') max = '1000') {
    const limit = Number(max);
    const condition = `this.brand.toLowerCase() === '${brand.toLowerCase()}' && this.price <= ${limit}`;
    return this.products.find({ $where: condition }).limit(50).lean();
  }
}
