"""Case study 1: does swapping masculine for feminine words late in training lower gender bias?"""
