from django.contrib.admin import AdminSite


class PortalAdminSite(AdminSite):
    site_header = "重庆人社培训网管理后台"
    site_title = "管理后台"
    index_title = "工作台"
