from django.urls import path

from orders import api, views

app_name = "orders"
urlpatterns = [
    path("orders/", views.order_list, name="list"),
    path("orders/new/<slug:plan>/", views.checkout, name="checkout"),
    path("orders/return/<slug:gateway>/", views.payment_return, name="return"),
    path("orders/notify/<slug:gateway>/", views.notify, name="notify"),
    path("orders/<slug:number>/", views.order_detail, name="detail"),
    path("orders/<slug:number>/status/", views.order_status, name="status"),
    path("orders/<slug:number>/pay/", views.pay, name="pay"),
    path("orders/<slug:number>/cancel/", views.order_cancel, name="cancel"),
    path("api/v1/orders/<slug:number>/", api.OrderState.as_view(), name="state"),
]
