import { Controller, Get, Query } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { Model } from 'mongoose';
import { Product } from './product.schema';

@Controller('products')
export class ProductBrandController {
  constructor(@InjectModel(Product.name) private readonly products: Model<Product>) {}

  @Get('by-brand')
  async byBrand(@Query('brand') brand: string, @Query('max') max = '1000') {
    const condition = {
      brandKey: { $eq: String(brand).toLowerCase() },
      price: { $lte: Number(max) },
    };
    return this.products.find(condition).limit(50).lean();
  }
}
